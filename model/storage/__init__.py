"""Files on the disk: written so that no crash leaves half of one, and made in folders that nobody has to clear up."""
