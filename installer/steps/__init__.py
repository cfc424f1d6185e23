"""The steps of `bootstrap.py`. Standard library only: they run before anything is installed."""
