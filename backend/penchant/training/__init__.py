"""Training: pretrain, fine-tune, compress, export and compile encoders."""
