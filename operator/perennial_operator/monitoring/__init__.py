"""From the pods' counters to windows of predictions and labels that can be judged."""
