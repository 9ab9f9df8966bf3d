"""Documents that flow (office files, web pages, mail, text): blocks -> pages drawn here, a box for each word."""
