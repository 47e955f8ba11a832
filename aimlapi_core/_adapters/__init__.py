"""What both adapters share. The core uses the context managers and the installation check."""
