"""CloudTrail as a source: who called what in an AWS account, from the log that AWS writes anyway (docs/cloudtrail.md)."""

from streams.sources.cloudtrail.record import recognised
from streams.sources.cloudtrail.trail import CloudTrail
from streams.sources.documents import split
from streams.sources.source import Kind

__all__ = ["CLOUDTRAIL", "CloudTrail"]

CLOUDTRAIL = Kind(recognised, CloudTrail, meaning="calls that may change something", split=split)
