"""The page: `layout.py` says what stands where, `handlers.py` what happens, `panels/` what it looks like as HTML."""
