"""Fine-tuning: an encoder learns from the log which items are liked by the same users.

The log is split by time, the likes of the training part are cut into segments, and the encoder that
ranks the validation part best is written as a Hugging Face directory.
"""
