"""Who mail is from: brands with their domains and keys, the relay, and the pace of recipients' domains."""
