"""What both adapters share; parts of it serve the core too."""
