"""What the encoder does on a real GPU: engines, vectors, laws, speed, and ranking end to end."""
