"""The slow clock: an encoder learns from the log which items are liked by the same people.

Split the log by time, cut the likes of the training part into segments, train, keep the model that
ranks the validation part best, and write it as a Hugging Face directory.
"""
