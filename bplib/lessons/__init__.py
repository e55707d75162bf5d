"""One module a notebook: its widget, its exercises and their diagnoses; and what the lessons share."""
