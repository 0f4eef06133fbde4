"""Screens: faces of reports, and forms over documents."""
