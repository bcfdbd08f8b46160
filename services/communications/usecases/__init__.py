"""What communications does when somebody asks or tells it something: one file each."""
