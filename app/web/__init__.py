"""What stands between the network and the page: who may ask, how much, how fast, and which files a request may name."""
