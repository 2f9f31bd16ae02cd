"""Read counters and progress from pods, while reconciliations judge them.

``targets`` knows whose counters are read and keeps them, ``scraper`` reads them, ``windows`` adds
them up; ``training_progress`` reads the progress of runs.
"""
