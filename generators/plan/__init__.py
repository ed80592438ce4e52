"""What is different between what is wanted and what is there, and what that opens."""
