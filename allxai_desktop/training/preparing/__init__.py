"""What a network is shown in training: copies, views, masks, batches."""
