"""Words and hosts that say little about which company it is: fixed lists, so that a record always means the same.

What is common among the members themselves is counted (see :mod:`term_frequency`); these lists are for what is
common in general, and would look rare in a small file.
"""


def listed(text: str) -> frozenset[str]:
    """The words of a text, however it is broken into lines."""
    return frozenset(text.split())


GENERIC = listed(
    """
    FRANCE FRANCAISE FRANCAIS GROUPE HOLDING INTERNATIONAL INTERNATIONALE SERVICES TECHNOLOGIES INDUSTRIES INDUSTRIEL
    INDUSTRIELLE SYSTEMES CONSEIL CONSEILS CONSULTING DISTRIBUTION DEVELOPPEMENT MANAGEMENT GESTION SOLUTIONS SOLUTION
    EUROPE EUROPEENNE EUROPEEN NORD SUD EST OUEST CENTRE RHONE ALPES LYON PARIS LOIRE AUVERGNE GRENOBLE GENERALE GENERAL
    NATIONALE NATIONAL REGIONALE REGIONAL DEPARTEMENTAL DEPARTEMENTALE NOUVELLE NOUVEAU CENTRALE CENTRAL TRANSPORTS
    CONSTRUCTION CONSTRUCTIONS SAINT SAINTE COMMUNAUTE COMMUNES COMMUNE AGGLOMERATION FEDERATION UNION MAISON CLUB
    EXPLOITATION PRODUCTION PRODUITS PARTICIPATIONS INVESTISSEMENT INVESTISSEMENTS FINANCE FINANCIERE FINANCIER
    LOGISTIQUE LOGISTICS RESTAURATION HOTEL HOTELS NETTOYAGE PROPRETE SECURITE MAINTENANCE FORMATION INSERTION EMPLOI
    TRAVAIL TEMPORAIRE INTERIM SOLIDARITE ACTION ACTIONS SOCIAL SOCIALE ESPACE ENVIRONNEMENT ENERGIE ENERGIES EAU
    BATIMENT TRAVAUX PUBLICS MATERIAUX AGENCE ATELIER ATELIERS CHANTIER CHANTIERS HOSPITALIER HOPITAL CLINIQUE SANTE
    AIDE DOMICILE ADMR ASSURANCE ASSURANCES BANQUE CAISSE CREDIT IMMOBILIER IMMOBILIERE HABITAT LOGEMENT
    INFORMATIQUE DIGITAL DIGITALE NUMERIQUE DATA WEB STUDIO MEDIA COMMUNICATION MARKETING INGENIERIE ENGINEERING
    AUTOMOBILE AUTOMOBILES AUTO AGRICOLE ALIMENTAIRE PHARMA PHARMACEUTIQUE CHIMIE PLASTIQUES EQUIPEMENTS EQUIPEMENT
    COMMERCE COMMERCIAL COMMERCIALE OPERATIONS OPERATIONNEL SUPPORT SIEGE CHAMBRE METIERS SYNDICAT MIXTE OFFICE
    INSTITUT ECOLE LYCEE UNIVERSITE CENTRES RESEAU RESEAUX PARTENAIRES PARTNERS GLOBAL EXPRESS PLUS
    VILLE VILLES PAYS VAL VALLEE MONT ILE COTE ENTREPRISES EMPLOYEURS GROUPEMENT INTERMEDIAIRE REGIE QUARTIER QUARTIERS
    SOCIETES PERSONNEL PREVENTION RETRAITE ACCUEIL JEUNES ENFANCE FAMILLE FAMILIALE PROTECTION GARDIENNAGE
    BRETAGNE NORMANDIE AQUITAINE ALSACE LORRAINE PROVENCE PICARDIE CHAMPAGNE BOURGOGNE MEDITERRANEE ATLANTIQUE
    LANGUEDOC ROUSSILLON MIDI PYRENEES LIMOUSIN ISERE SAVOIE AIN DROME ARDECHE ALLIER CANTAL
    MARSEILLE TOULOUSE BORDEAUX LILLE NANTES STRASBOURG RENNES NICE
    """
)
"""Generic, geographic and trade words, as :func:`company_names.name_key` spells them."""

PROVIDERS = listed(
    """
    gmail.com googlemail.com orange.fr wanadoo.fr free.fr sfr.fr neuf.fr cegetel.net club-internet.fr numericable.fr
    laposte.net bbox.fr aliceadsl.fr alice.fr voila.fr noos.fr dbmail.com 9online.fr 9business.fr libertysurf.fr
    hotmail.com hotmail.fr outlook.com outlook.fr live.com live.fr msn.com yahoo.com yahoo.fr ymail.com rocketmail.com
    icloud.com me.com mac.com aol.com aol.fr gmx.com gmx.fr gmx.net mail.com protonmail.com protonmail.ch proton.me
    pm.me tutanota.com zoho.com mailo.com netcourrier.com caramail.com nordnet.fr ovh.fr infonie.fr
    online.fr tele2.fr worldonline.fr orange-business.fr skynet.be hotmail.be bluewin.ch
    """
)
"""General e-mail providers: their domain says nothing about the company."""

HOSTS = listed(
    """
    wixsite.com wix.com wordpress.com blogspot.com blogspot.fr over-blog.com jimdo.com jimdofree.com e-monsite.com
    free.fr webnode.fr webnode.com site123.me business.site sites.google.com github.io weebly.com squarespace.com
    myshopify.com wifeo.com canalblog.com asso.fr gouv.fr notaires.fr cci.fr com.fr nom.fr co.uk org.uk com.au
    eklablog.com ovh.net pagesperso-orange.fr perso.sfr.fr assoconnect.com systeme.io webador.fr
    """
)
"""Below these, each sub-domain belongs to somebody else; themselves they belong to nobody among the members."""

PLATFORMS = listed(
    """
    facebook.com linkedin.com twitter.com x.com instagram.com youtube.com google.com google.fr pagesjaunes.fr
    societe.com helloasso.com linktr.ee malt.fr viadeo.com tiktok.com
    """
)
"""Where companies have a page of their own under an address that is not theirs."""
