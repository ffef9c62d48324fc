"""A simulated closed-loop system as a benchmark: no outcome is scripted, labels come from counterfactual replay."""
