"""The edge to the kernel: start an init where it can be judged, direct the actors, watch what becomes of them."""
