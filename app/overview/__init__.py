"""What a document says about itself, without the model: at a glance, and where words stand."""
