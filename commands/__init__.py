"""The commands behind `python course.py`: standard library only, one module a task, `main` holds the table of verbs."""
