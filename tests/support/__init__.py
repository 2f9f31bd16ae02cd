"""What tests share: builders of values, and a hold on the real cluster."""
