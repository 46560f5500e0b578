"""`make conformance`: what real inits keep of what the labs ask for, played and written down in docs/conformance.md."""
