"""One service as a process: started, watched and stopped in order."""
