"""Where events come from: CloudEvents, and logs that were not written for this program (`kinds`)."""
