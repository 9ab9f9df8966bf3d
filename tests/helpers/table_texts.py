"""Tables as they stand in a page's text, a row a line."""

REPLIES = """Valid replies of the survey
Country; Valid replies; Number of researchers (1); Accuracy Level
Latvia - Valid replies: 7; Number of researchers (1): 8.002; Accuracy Level: Low
Poland - Valid replies: 121; Number of researchers (1): 126.241; Accuracy Level: High
Sweden - Valid replies: 125; Number of researchers (1): 47.000; Accuracy Level: High
Note: the survey ended in May; no reply came later."""
