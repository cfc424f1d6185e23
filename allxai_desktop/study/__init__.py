"""A study folder: images and masks, who paints them, their states, the audit trail."""
