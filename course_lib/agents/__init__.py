"""Algorithms written out to be read. They know numpy and PyTorch, and no Ray."""
