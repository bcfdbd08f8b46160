"""What every command of ``traboule`` is made with: errors, options, output, an orderly end."""
