"""How the installation stands, read from Kafka alone: the answer to "is it blind?" and to "why did it find nothing?".

`reading` collects the facts from the topics and consumer groups, `telling` judges them and puts them into sentences. Each part that
cannot be read is a sentence of its own; the others are still told.
"""
