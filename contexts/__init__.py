"""What a record means: the JSON-LD contexts and frames, one per vocabulary, will live here as data files.

Records already name theirs (``https://w3id.org/fairfolder/contexts/<kind>/1.0.0.jsonld``); nothing ever fetches it.
"""
