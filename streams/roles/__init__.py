"""The four roles. Each is a Faust app with its own consumer group: poll batch -> pure core -> write -> progress -> commit.

`work` is what a role is; `application` the Faust app around one.
"""
