"""Forms for whoever describes data: pages of their own, outside the admin."""
