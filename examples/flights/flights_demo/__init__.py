"""The demo: trains a model of flight delays, serves it with Perennial, and changes it under load.

Run it with ``make demo``. Each module has one idea; ``cli`` tells the story in order.
"""
