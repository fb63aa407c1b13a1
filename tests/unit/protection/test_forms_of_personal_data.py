"""The forms in which people write telephone numbers, addresses, names, dates and numbers of documents."""

import pytest

from cumulet.protection import Inspector, managed_identifier

# What is found stands between ⟦ and ⟧.
FORMS = {
    "PhoneNumber": [
        "phone: ⟦206-555-0123⟧",
        "phone: ⟦(206) 555-0123⟧",
        "phone: ⟦206.555.0123⟧",
        "tel ⟦2065550123⟧",
        "⟦+12065550123⟧",
        "⟦+1 (206) 555-0123⟧",
        "tel:⟦+1-206-555-0123⟧",
        "mobile ⟦+44 7700 900123⟧",
        "⟦+49 (0)30 901820⟧",
        "⟦+49 30/901820⟧",
        "⟦+33123456789⟧",
        "⟦+55 (11) 91234-5678⟧",
        "⟦+91 98765 43210⟧",
        "⟦+81-3-1234-5678⟧",
        "phone ⟦07700 900123⟧",
        "phone ⟦06 12 34 56 78⟧",
        "tel ⟦0211-1234567⟧",
        "cell ⟦612 345 678⟧",
        "phone ⟦333 1234567⟧",
        "tel ⟦(030) 901820⟧",
    ],
    "PhoneNumber-BR": [
        "⟦+5511912345678⟧",
        "celular ⟦11912345678⟧",
        "telefone: ⟦(11) 2345-6789⟧",
        "cel ⟦(021) 98765-4321⟧",
    ],
    "PhoneNumber-DE": ["⟦+4917112345678⟧", "tel ⟦030/123456⟧", "phone ⟦0800 1234567⟧", "⟦+49 (0) 30 901820⟧"],
    "PhoneNumber-ES": ["⟦+34 91 123 45 67⟧", "tel ⟦91 123 45 67⟧", "mobile ⟦612-345-678⟧"],
    "PhoneNumber-FR": [
        "⟦+33 (0)1 23 45 67 89⟧",
        "tel ⟦0123456789⟧",
        "fax ⟦01-23-45-67-89⟧",
        "tel ⟦0033 1 23 45 67 89⟧",
    ],
    "PhoneNumber-GB": ["⟦+44 1632 960001⟧", "tel ⟦01632 960001⟧", "phone ⟦(020) 7946 0958⟧", "⟦+44 (0)1632 960 001⟧"],
    "PhoneNumber-IT": ["⟦+393331234567⟧", "tel ⟦06 69812345⟧", "⟦+39 02 1234 5678⟧"],
    "PhoneNumber-US": [
        "fax ⟦206 555 0123⟧",
        "phone number ⟦1-206-555-0123⟧",
        "⟦+1.206.555.0123⟧",
        "tel ⟦1 (206) 555 0123⟧",
    ],
    "Address": [
        "⟦1600 Pennsylvania Avenue NW, Washington, DC 20500⟧",
        "⟦1 Infinite Loop, Cupertino, CA 95014⟧",
        "⟦123 Main St Apt 4B, Springfield, IL 62701⟧",
        "⟦123 Main Street\nSpringfield, IL 62701⟧",
        "⟦10 Downing Street, London SW1A 2AA⟧",
        "Flat 2, ⟦14 High Street, Oxford OX1 4AB⟧",
        "⟦24 Sussex Drive, Ottawa ON K1M 1M4⟧",
        "⟦48 Pirrama Rd, Pyrmont NSW 2009⟧",
        "⟦Friedrichstraße 43, 10969 Berlin⟧",
        "⟦Am Markt 5, 28195 Bremen⟧",
        "⟦12 rue de Rivoli, 75001 Paris⟧",
        "⟦55 rue du Faubourg Saint-Honoré 75008 Paris⟧",
        "⟦Via del Corso 100, 00186 Roma RM⟧",
        "⟦Calle Mayor 5, 3º A, 28013 Madrid⟧",
        "⟦Avenida Diagonal 640, 08017 Barcelona⟧",
    ],
    "Name": [
        "⟦John Smith⟧",
        "⟦Maria Garcia Lopez⟧",
        "⟦Dr. Hans Müller⟧",
        "customerName: ⟦Wei Zhang⟧",
        "⟦José Álvarez⟧",
        "⟦Anne-Marie Duval⟧",
        "⟦Mr. John Doe⟧",
        "⟦Sarah O'Connor⟧",
        "⟦Juan de la Cruz⟧",
        "⟦Ludwig van Beethoven⟧",
        "⟦Katarzyna Wójcik⟧",
        "patient name: ⟦Xi Zhao⟧",
        "Kind regards\n⟦Peter J. Parker⟧\nSales",
    ],
    "DateOfBirth": [
        "DOB: ⟦04/12/1985⟧",
        "born dob ⟦12.04.1985⟧",
        "birthday: ⟦12 April 1985⟧",
        "date of birth ⟦April 12, 1985⟧",
        "dob: ⟦1985/04/12⟧",
        "birth_date=⟦1985-04-12⟧",
        "dob ⟦12 Apr 85⟧",
        "DateOfBirth ⟦04-12-85⟧",
        "dob ⟦4/2/85⟧",
    ],
    "EmailAddress": [
        "⟦a@b.co⟧",
        "⟦x_y-z+tag@example.museum⟧",
        '"Jane" <⟦jane@example.com⟧>',
        "mailto:⟦j@example.com⟧?subject=x",
    ],
    "DriversLicense-US": ["driver's license: ⟦D123-4567-8901⟧", "DL# ⟦A1234567⟧", "drivers license no. ⟦12345678⟧"],
    "Ssn-US": ["SSN#⟦123-45-6789⟧", "ss# ⟦123456789⟧", "social-security ⟦123-45-6789⟧", "ssn=⟦123456789⟧&x=1"],
    "LatLong": ["coordinates ⟦52.5200, 13.4050⟧", "location: (⟦52.5200,13.4050⟧)", "position ⟦-33.85;+151.21⟧"],
    "VehicleIdentificationNumber": ["vin ⟦1HGCM82633A004352⟧", "vehicle identification number: ⟦JH4KA7561PC008269⟧"],
}


@pytest.mark.parametrize("name", FORMS)
def test_every_usual_form_is_found_whole(name):
    identifier = managed_identifier(name)
    assert identifier
    inspector = Inspector([identifier])

    for form in FORMS[name]:
        text = form.replace("⟦", "").replace("⟧", "")
        findings = inspector.find(text)
        shown = text
        for finding in reversed(findings):
            shown = f"{shown[: finding.start]}⟦{shown[finding.start : finding.end]}⟧{shown[finding.end :]}"
        assert shown == form
