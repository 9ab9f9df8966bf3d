"""Documents that flow (office files, web pages, mail, text): blocks -> pages that are drawn here, with a box for each word."""
