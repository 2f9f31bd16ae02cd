"""The page's parts: each a function from the card to its content, empty where the card lacks it."""
