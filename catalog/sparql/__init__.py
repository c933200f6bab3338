"""The SPARQL 1.1 endpoint: the protocol, its page for people, and what it says of itself."""
