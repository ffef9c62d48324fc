"""The core of interplay: what events, causes and findings are and mean. Pure: no clock, no input or output, no logging, no randomness.

Glossary. *Event*: an action, transition, dependency, intent, verdict or sample. *Knob*: one parameter of one resource. *Write*: an applied
action on a knob. *Fact*: the last write or intent that has left the memory and still holds. *Signal*: a record that reduce writes for
analyze: an event, or a *tick*, which says how far a source partition is known. *Watermark*: the time below which no event on time can
come. *Late*: beyond the lateness of its own source partition. *Sighting*: a detector's one judgement about one event. *Episode*: sightings
of the same thing, from opening to resolution; a *finding* is its public record, a *change* one revision of it.
"""
