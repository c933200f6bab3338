"""What of a dataset is public: whether it may be, who may have it, and the one document all public pages show."""
