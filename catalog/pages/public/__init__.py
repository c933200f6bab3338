"""What anybody may read without signing in: published records, their files, and the words they are said in.

Everything here is made from the rows of :class:`catalog.models.Published`, and from nothing else: what is not in them
cannot leak. A page is the same for everyone, whoever is signed in, so that it can be kept and handed out as it is.
"""
