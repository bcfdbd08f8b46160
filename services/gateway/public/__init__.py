"""What is open to everybody, without a key: what people do by the links of their mails. ``GET`` changes nothing."""
