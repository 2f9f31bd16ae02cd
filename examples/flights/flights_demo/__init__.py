"""Demo: serve, monitor and retrain a model of flight delays for a year.

Run it with ``make demo``. ``cli`` has the steps in order.
"""
