"""What moto lacks: answers of billing and advisory APIs about the fictional company, each held against its model."""
