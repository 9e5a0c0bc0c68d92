//! Black-box tests over HTTP: the real server, one binary.
