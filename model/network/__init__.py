"""The network's modules and the operations that they are made of. The lowest folder: it imports no other."""
