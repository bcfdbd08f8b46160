"""Reading the export files of former systems and publishing what they say, whatever it is about."""
