"""What mails say: templates, and the sandbox that renders them."""
