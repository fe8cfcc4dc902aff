"""What a registry file may say: its YAML with line numbers, its schema, fields and rules."""
