"""One module per decision. Each is a pure function of the gathered world and the clock."""
