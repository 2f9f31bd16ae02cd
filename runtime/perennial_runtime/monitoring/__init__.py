"""What a model was asked and answered, and the truth that came back: counted, and captured."""
