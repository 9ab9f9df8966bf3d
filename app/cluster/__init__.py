"""Readonce on several machines, by Ray Serve: an extra (`requirements-cluster.txt`), described in docs/deploy.md.

Encodings lie in one folder that all machines see; it is the truth, and replicas hold what they were asked about last.
Only `deployments.py`, `connection.py` and `start.py` import Ray.
"""
